<?php

use dokuwiki\Extension\ActionPlugin;
use dokuwiki\Extension\Event;
use dokuwiki\Extension\EventHandler;

/**
 * Shows who changed a page by login name, if the setting says so, without a request to the directory for the full name.
 * So a page can be read while the directory is slow or stopped.
 */
class action_plugin_loginname extends ActionPlugin
{
    public function register(EventHandler $controller)
    {
        $controller->register_hook('COMMON_USER_LINK', 'BEFORE', $this, 'name');
    }

    public function name(Event $event)
    {
        global $conf;
        if ($conf['showuseras'] !== 'loginname' || $event->data['name'] !== '') return;
        $name = (string) $event->data['username'];
        $event->data['name'] = $event->data['textonly'] ? $name : hsc($name);
    }
}

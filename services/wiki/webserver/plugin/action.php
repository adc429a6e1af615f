<?php

use dokuwiki\Extension\ActionPlugin;
use dokuwiki\Extension\Event;
use dokuwiki\Extension\EventHandler;

/**
 * Shows who changed a page by login name, as the setting says, without asking the directory for a full name that is not
 * shown: reading a page then neither waits for the directory nor needs it.
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

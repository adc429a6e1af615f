<?php
// Settings that no admin of the wiki can change in the browser: who the members are, and where the wiki stores data.
$conf['savedir'] = '/var/lib/wiki/current/data';
$conf['userewrite'] = 1;

$conf['useacl'] = 1;
$conf['superuser'] = '@admins';
$conf['disableactions'] = 'register,resendpwd,profile_delete,subscribe';
$conf['remote'] = 1;
$conf['remoteuser'] = '@user';

// lighttpd has already set the client's address and the protocol, from the trusted proxy.
$conf['trustedproxy'] = '';

// webserver/plugins/member: authldap, with these settings.
$conf['authtype'] = 'member';
$conf['plugin']['authldap'] = [
    'server' => 'ldaps://directory',
    'port' => 636,
    'version' => 3,
    'referrals' => 0,
    'usertree' => 'ou=people,dc=collective',
    'userfilter' => '(uid=%{user})',
    'userscope' => 'one',
    'grouptree' => 'ou=groups,dc=collective',
    'groupfilter' => '(&(objectClass=groupOfNames)(member=%{dn}))',
    'groupscope' => 'one',
    'groupkey' => 'cn',
    // The plugin would store a weaker hash than the directory's.
    'modPass' => 0,
] + ($conf['plugin']['authldap'] ?? []);

<?php
// Where the settings are: defaults and fixed settings come with the image; what admins change is in the volume.
// This replaces the package's file, which chooses a wiki by host name and request parameter. Here there is only one.
$defaults = '/etc/dokuwiki/';
define('DOKU_CONF', '/var/lib/wiki/current/conf/');

$config_cascade = [
    'main' => [
        'default' => [$defaults . 'dokuwiki.php'],
        'local' => [DOKU_CONF . 'local.php'],
        'protected' => ['/etc/wiki/protected.php'],
    ],
    'plugins' => [
        'default' => [$defaults . 'plugins.php'],
        'local' => [DOKU_CONF . 'plugins.local.php'],
        'protected' => [$defaults . 'plugins.required.php', '/etc/wiki/plugins.php'],
    ],
];
$files = [
    'acronyms.conf', 'entities.conf', 'interwiki.conf', 'license.php', 'manifest.json',
    'mediameta.php', 'mime.conf', 'scheme.conf', 'smileys.conf', 'wordblock.conf',
];
foreach ($files as $file) {
    [$name, $suffix] = explode('.', $file);
    $config_cascade[$name] = [
        'default' => [$defaults . $file],
        'local' => [DOKU_CONF . "$name.local.$suffix"],
    ];
}

// PHP has already read name and password from the header, up to the first colon. DokuWiki would read them again, and end the
// password at its first colon.
if (isset($_SERVER['PHP_AUTH_USER'])) {
    unset($_SERVER['HTTP_AUTHORIZATION'], $_SERVER['REDIRECT_HTTP_AUTHORIZATION']);
}

<?php
// Plugins come only with the image, so that git has them and an update updates them. The wiki reports nothing to anyone.
$plugins['extension'] = 0;
$plugins['popularity'] = 0;
// Members are managed in the directory.
$plugins['usermanager'] = 0;
$plugins['authad'] = 0;
$plugins['authpdo'] = 0;
$plugins['authldap'] = 1;

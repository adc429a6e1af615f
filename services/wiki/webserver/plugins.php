<?php
// Software comes with the image, so that it is in git and updated with it; and nothing is reported to anyone.
$plugins['extension'] = 0;
$plugins['popularity'] = 0;
// Members are looked after in the directory.
$plugins['usermanager'] = 0;
$plugins['authad'] = 0;
$plugins['authpdo'] = 0;
$plugins['authldap'] = 1;

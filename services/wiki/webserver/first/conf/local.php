<?php
// Changed in the browser: Admin, Configuration Settings.
$conf['title'] = 'Wiki';
$conf['license'] = '';
// A page that is not there is said not to be there, to programs too.
$conf['send404'] = 1;

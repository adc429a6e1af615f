<?php
// Change it in the browser: Admin, Configuration Settings.
$conf['title'] = 'Wiki';
$conf['license'] = '';
// A page that does not exist has the status 404, so that programs notice it too.
$conf['send404'] = 1;

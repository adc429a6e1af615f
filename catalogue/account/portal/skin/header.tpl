<!DOCTYPE html>
<html lang="<TMPL_VAR NAME="T_LANGUAGE">">
<head>
<meta charset="utf-8">
<title><TMPL_VAR NAME="T_TITLE"></title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<TMPL_IF NAME="T_SCRIPTS">
<link rel="stylesheet" href="/javascript/bootstrap4/css/bootstrap.min.css">
<link rel="stylesheet" href="/javascript/font-awesome/css/font-awesome.min.css">
<TMPL_INCLUDE NAME="../common/script.tpl">
<script src="<TMPL_VAR NAME="STATIC_PREFIX">bootstrap/js/skin.min.js"></script>
<script src="<TMPL_VAR NAME="STATIC_PREFIX">common/js/portal.min.js"></script>
<script src="/javascript/bootstrap4/js/bootstrap.min.js"></script>
<TMPL_VAR NAME="CUSTOM_SCRIPT">
</TMPL_IF>
<link rel="stylesheet" href="<TMPL_VAR NAME="STATIC_PREFIX">darkpeak/style.css">
</head>
<body>

<!DOCTYPE html>
<html lang="{{t['language']}}">
<head>
<meta charset="utf-8">
<title>{{t['title']}}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/darkpeak/style.css">
</head>
<body>
<main>
<h1>{{t['title']}}</h1>
<p class="message" role="alert">{{t['no_directory'] if directory else t['failed']}}</p>
<p><a href="/me">{{t['again']}}</a></p>
</main>
</body>
</html>

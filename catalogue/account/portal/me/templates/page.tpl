<!DOCTYPE html>
<html lang="{{t['language']}}">
<head>
<meta charset="utf-8">
<title>{{t['title']}}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/darkpeak/style.css">
</head>
<body>
<main class="wide">
<h1>{{t['title']}}</h1>
% if said:
<p class="message" role="{{'alert' if failed else 'status'}}">{{said}}</p>
% end
<p>{{t['logged_in_as']}} <strong>{{who.uid}}</strong> · <a href="/">{{t['account']}}</a></p>

<h2>{{t['name_title']}}</h2>
<form method="post" action="/me/name">
<input type="hidden" name="token" value="{{token}}">
<label for="name">{{t['name']}}</label>
<input id="name" name="name" autocomplete="name" maxlength="200" required value="{{typed.get('name') or who.name}}" aria-describedby="name-rule">
<p class="rule" id="name-rule">{{t['name_rule']}}</p>
<button type="submit">{{t['name_save']}}</button>
</form>

<h2>{{t['mail_title']}}</h2>
<form method="post" action="/me/mail">
<input type="hidden" name="token" value="{{token}}">
<label for="mail">{{t['mail']}}</label>
<input id="mail" name="mail" type="email" autocomplete="email" maxlength="254" value="{{typed.get('mail') or who.mail}}" aria-describedby="mail-rule">
<p class="rule" id="mail-rule">{{t['mail_rule']}}</p>
<label for="password">{{t['password']}}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">{{t['mail_save']}}</button>
</form>

<h2>{{t['keys_title']}}</h2>
% if not who.keys:
<p>{{t['keys_none']}}</p>
% else:
<ul class="keys">
% for key in who.keys:
<li>
<form method="post" action="/me/keys/remove">
<input type="hidden" name="token" value="{{token}}">
<input type="hidden" name="fingerprint" value="{{key.fingerprint}}">
<strong>{{key.comment or t['key_unnamed']}}</strong> ({{key.kind}})<br><code>{{key.fingerprint}}</code>
<button type="submit" class="small">{{t['key_remove']}}<span class="hidden"> {{key.comment or key.fingerprint}}</span></button>
</form>
</li>
% end
</ul>
% end
<form method="post" action="/me/keys/add">
<input type="hidden" name="token" value="{{token}}">
<label for="key">{{t['key']}}</label>
<textarea id="key" name="key" rows="4" maxlength="4096" spellcheck="false" autocapitalize="none" required aria-describedby="key-rule">{{typed.get('key', '')}}</textarea>
<p class="rule" id="key-rule">{{t['key_rule']}}</p>
<button type="submit">{{t['key_add']}}</button>
</form>

<h2>{{t['logins_title']}}</h2>
<p>{{t['logins']}}</p>
<form method="post" action="/me/log-out">
<input type="hidden" name="token" value="{{token}}">
<button type="submit">{{t['log_out']}}</button>
</form>

<h2>{{t['copy_title']}}</h2>
<p>{{t['copy']}}</p>
% if wishes.until:
<p><a href="/me/copy">{{t['copy_fetch']}}</a> {{t['copy_until'].format(day=wishes.until)}}</p>
% end
% if wishes.export:
<p>{{t['asked_on'].format(day=wishes.export)}}</p>
% else:
<form method="post" action="/me/export">
<input type="hidden" name="token" value="{{token}}">
<button type="submit">{{t['copy_ask']}}</button>
</form>
% end

<h2>{{t['leave_title']}}</h2>
<p>{{t['leave']}}</p>
% if wishes.forget:
<p>{{t['asked_on'].format(day=wishes.forget)}}</p>
<form method="post" action="/me/stay">
<input type="hidden" name="token" value="{{token}}">
<button type="submit">{{t['stay']}}</button>
</form>
% else:
<form method="post" action="/me/forget">
<input type="hidden" name="token" value="{{token}}">
<label for="uid">{{t['leave_type'].format(uid=who.uid)}}</label>
<input id="uid" name="uid" autocomplete="off" autocapitalize="none" spellcheck="false" required>
<button type="submit">{{t['leave_ask']}}</button>
</form>
% end
</main>
</body>
</html>

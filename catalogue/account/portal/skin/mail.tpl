<TMPL_INCLUDE NAME="header.tpl">
<main>
<h1><TMPL_VAR NAME="T_SET_PASSWORD"></h1>
<TMPL_INCLUDE NAME="message.tpl">
<TMPL_IF NAME="DISPLAY_PASSWORD_FORM">
<TMPL_INCLUDE NAME="password.tpl">
<TMPL_ELSE>
<TMPL_IF NAME="DISPLAY_FORM">
<form id="mailform" method="post" action="#">
<TMPL_IF NAME="TOKEN"><input type="hidden" name="token" value="<TMPL_VAR NAME="TOKEN">"></TMPL_IF>
<label for="mail"><TMPL_VAR NAME="T_NAME"></label>
<input id="mail" name="mail" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<button type="submit"><TMPL_VAR NAME="T_SEND_LINK"></button>
</form>
</TMPL_IF>
<p><a href="/"><TMPL_VAR NAME="T_TO_LOGIN"></a></p>
</TMPL_IF>
</main>
<TMPL_INCLUDE NAME="footer.tpl">

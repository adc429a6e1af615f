<TMPL_INCLUDE NAME="header.tpl">
<main>
<h1><TMPL_VAR NAME="T_TITLE"></h1>
<TMPL_INCLUDE NAME="message.tpl">
<TMPL_IF NAME="DISPLAY_FORM">
<form id="lform" method="post" action="#">
<TMPL_VAR NAME="HIDDEN_INPUTS">
<input type="hidden" name="url" value="<TMPL_VAR NAME="AUTH_URL" ESCAPE="HTML">">
<TMPL_IF NAME="TOKEN"><input type="hidden" name="token" value="<TMPL_VAR NAME="TOKEN">"></TMPL_IF>
<label for="user"><TMPL_VAR NAME="T_NAME"></label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required value="<TMPL_VAR NAME="LOGIN" ESCAPE="HTML">"<TMPL_UNLESS NAME="LOGIN"> autofocus</TMPL_UNLESS>>
<label for="password"><TMPL_VAR NAME="T_PASSWORD"></label>
<input id="password" name="password" type="password" autocomplete="current-password" required<TMPL_IF NAME="LOGIN"> autofocus</TMPL_IF>>
<button type="submit"><TMPL_VAR NAME="T_LOG_IN"></button>
</form>
<TMPL_IF NAME="T_BY_MAIL">
<p><a href="/resetpwd"><TMPL_VAR NAME="T_FORGOTTEN_LINK"></a></p>
<TMPL_ELSE>
<p><TMPL_VAR NAME="T_FORGOTTEN"></p>
</TMPL_IF>
<TMPL_ELSE>
<TMPL_IF NAME="DISPLAY_PASSWORD">
<TMPL_INCLUDE NAME="password.tpl">
<TMPL_ELSE>
<p><a href="/"><TMPL_VAR NAME="T_TO_LOGIN"></a></p>
</TMPL_IF>
</TMPL_IF>
</main>
<TMPL_INCLUDE NAME="footer.tpl">

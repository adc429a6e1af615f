<TMPL_INCLUDE NAME="header.tpl">
<main>
<h1><TMPL_VAR NAME="T_SET_PASSWORD"></h1>
<TMPL_INCLUDE NAME="message.tpl">
<TMPL_IF NAME="DISPLAY_PASSWORD_FORM">
<TMPL_INCLUDE NAME="password.tpl">
<TMPL_ELSE>
<p><a href="/"><TMPL_VAR NAME="T_TO_LOGIN"></a></p>
</TMPL_IF>
</main>
<TMPL_INCLUDE NAME="footer.tpl">

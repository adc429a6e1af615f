<TMPL_INCLUDE NAME="header.tpl">
<main>
<h1><TMPL_VAR NAME="T_TITLE"></h1>
<TMPL_INCLUDE NAME="message.tpl">
<p><TMPL_VAR NAME="T_LOGGED_IN_AS"> <strong><TMPL_VAR NAME="AUTH_USER" ESCAPE="HTML"></strong></p>
<TMPL_LOOP NAME="DISPLAY_MODULES">
<TMPL_IF NAME="ChangePassword">
<h2><TMPL_VAR NAME="T_CHANGE_PASSWORD"></h2>
<TMPL_INCLUDE NAME="password.tpl">
</TMPL_IF>
</TMPL_LOOP>
<p><a href="/me"><TMPL_VAR NAME="T_TO_ME"></a></p>
<TMPL_IF NAME="sfaManager"><p><a href="/2fregisters"><TMPL_VAR NAME="T_SECOND_FACTOR"></a></p></TMPL_IF>
<p><a href="<TMPL_VAR NAME="LOGOUT_URL" ESCAPE="HTML">"><TMPL_VAR NAME="T_LOG_OUT"></a></p>
</main>
<TMPL_INCLUDE NAME="footer.tpl">

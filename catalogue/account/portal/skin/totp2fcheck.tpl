<TMPL_INCLUDE NAME="header.tpl">
<main>
<h1><TMPL_VAR NAME="T_SECOND_FACTOR"></h1>
<TMPL_INCLUDE NAME="message.tpl">
<form method="post" action="<TMPL_VAR NAME="TARGET" ESCAPE="HTML">">
<input type="hidden" name="token" value="<TMPL_VAR NAME="TOKEN" ESCAPE="HTML">">
<label for="code"><TMPL_VAR NAME="T_CODE"></label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="numeric" required autofocus>
<button type="submit"><TMPL_VAR NAME="T_LOG_IN"></button>
</form>
<p><a href="/"><TMPL_VAR NAME="T_BACK"></a></p>
</main>
<TMPL_INCLUDE NAME="footer.tpl">

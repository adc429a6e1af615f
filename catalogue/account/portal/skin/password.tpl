<form id="formpass" method="post" action="#">
<TMPL_VAR NAME="HIDDEN_INPUTS">
<TMPL_IF NAME="AUTH_URL"><input type="hidden" name="url" value="<TMPL_VAR NAME="AUTH_URL" ESCAPE="HTML">"></TMPL_IF>
<TMPL_IF NAME="TOKEN"><input type="hidden" name="token" value="<TMPL_VAR NAME="TOKEN">"></TMPL_IF>
<TMPL_IF NAME="MAIL_TOKEN"><input type="hidden" name="mail_token" value="<TMPL_VAR NAME="MAIL_TOKEN" ESCAPE="HTML">"></TMPL_IF>
<TMPL_IF NAME="LOGIN"><input type="hidden" name="user" value="<TMPL_VAR NAME="LOGIN" ESCAPE="HTML">"></TMPL_IF>
<TMPL_IF NAME="REQUIRE_OLDPASSWORD">
<label for="oldpassword"><TMPL_VAR NAME="T_CURRENT_PASSWORD"></label>
<input id="oldpassword" name="oldpassword" type="password" autocomplete="current-password" required>
</TMPL_IF>
<label for="newpassword"><TMPL_VAR NAME="T_NEW_PASSWORD"></label>
<input id="newpassword" name="newpassword" type="password" autocomplete="new-password" minlength="8" required aria-describedby="rule">
<p id="rule"><TMPL_VAR NAME="T_RULE"></p>
<label for="confirmpassword"><TMPL_VAR NAME="T_REPEAT_PASSWORD"></label>
<input id="confirmpassword" name="confirmpassword" type="password" autocomplete="new-password" required>
<button type="submit"><TMPL_VAR NAME="T_SAVE"></button>
</form>

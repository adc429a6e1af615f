<TMPL_INCLUDE NAME="header.tpl">
<main>
<h1><TMPL_VAR NAME="T_TITLE"></h1>
<TMPL_INCLUDE NAME="message.tpl">
<TMPL_IF NAME="RAW_ERROR"><p class="message" role="alert"><TMPL_VAR NAME="T_FAILED">: <TMPL_VAR NAME="RAW_ERROR" ESCAPE="HTML"></p></TMPL_IF>
<TMPL_UNLESS NAME="T_ERROR"><TMPL_UNLESS NAME="RAW_ERROR"><p class="message" role="alert"><TMPL_VAR NAME="T_FAILED"></p></TMPL_UNLESS></TMPL_UNLESS>
<p><a href="/"><TMPL_VAR NAME="T_BACK"></a></p>
</main>
<TMPL_INCLUDE NAME="footer.tpl">

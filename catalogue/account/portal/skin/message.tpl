<TMPL_IF NAME="T_ERROR"><p class="message" role="<TMPL_VAR NAME="AUTH_ERROR_ROLE" DEFAULT="alert">"><TMPL_VAR NAME="T_ERROR"></p></TMPL_IF>

<TMPL_IF NAME="T_SCRIPTS">
<script src="<TMPL_VAR NAME="SCRIPTNAME">psgi.js"></script>
</TMPL_IF>
</body>
</html>

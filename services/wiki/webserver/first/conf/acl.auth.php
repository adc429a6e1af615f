# acl.auth.php
# <?php exit()?>
# Everybody reads; members edit, create and upload. Changed in the browser: Admin, Access Control List Management.

*               @ALL          1
*               @user         8

# acl.auth.php
# <?php exit()?>
# Everybody may read; members may edit, create and upload. Change it in the browser: Admin, Access Control List Management.

*               @ALL          1
*               @user         8

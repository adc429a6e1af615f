<?php

/**
 * DokuWiki's own login with LDAP, with three differences: a member has one name, and one password, however they were
 * typed; and an address with many failed logins has to wait.
 */
class auth_plugin_member extends auth_plugin_authldap
{
    /** Failed logins from one address, in this time, after which it has to wait. */
    private const MOST = 10;
    private const SECONDS = 60;
    private const FOLDER = '/run/wiki/failed';
    /** LDAP's codes for: no error (there is no such member), no such object, invalid credentials. */
    private const WRONG = [0, 32, 49];

    /** Settings, texts and defaults are those of authldap. */
    public function getPluginName()
    {
        return 'authldap';
    }

    /** Return the name that a member meant: "Ada" is "ada", because names in the directory have lower case. */
    public function cleanUser($user)
    {
        return strtolower(trim($user));
    }

    public function checkPass($user, $pass)
    {
        if ($this->failures() >= self::MOST && !$this->isFromCookie($user, $pass)) {
            msg('Too many failed logins from your address. Wait a minute, and try again.', -1);
            return false;
        }
        // The directory has passwords in Unicode's form NFC; some keyboards write "é" as two characters.
        $ok = parent::checkPass($user, Normalizer::normalize($pass) ?: $pass);
        if (!$ok && $this->con && in_array(ldap_errno($this->con), self::WRONG, true)) $this->recordFailure();
        return $ok;
    }

    /** For LDAP, "ADA" and full-width letters are "ada" too. Accept only the name by which access rules know the member. */
    protected function fetchUserData($user, $inbind = false)
    {
        $info = parent::fetchUserData($user, $inbind);
        $dn = 'uid=' . $user . ',' . $this->getConf('usertree');
        return empty($info['dn']) || strtolower($info['dn']) === $dn ? $info : [];
    }

    /** Return whether the browser was logged in with this password: then nobody is guessing. */
    private function isFromCookie($user, $pass)
    {
        [$name, $sticky, $encrypted] = auth_getCookie();
        return $name === $user && $encrypted && auth_decrypt($encrypted, auth_cookiesalt(!$sticky, true)) === $pass;
    }

    /** Return how many logins from the visitor's address have failed in the last time. */
    private function failures()
    {
        $times = @file($this->file()) ?: [];
        return count(array_filter($times, fn($time) => (int) $time > time() - self::SECONDS));
    }

    private function recordFailure()
    {
        @mkdir(self::FOLDER);
        // Now and then, forget addresses that have waited.
        foreach (random_int(1, 100) === 1 ? glob(self::FOLDER . '/*') : [] as $file) {
            if (@filemtime($file) < time() - self::SECONDS) @unlink($file);
        }
        $old = $this->failures() ? FILE_APPEND : 0;
        file_put_contents($this->file(), time() . "\n", $old | LOCK_EX);
    }

    /** Return the file of the visitor's address; with IPv6, of the network that a visitor usually has. */
    private function file()
    {
        $address = inet_pton($_SERVER['REMOTE_ADDR'] ?? '') ?: '';
        return self::FOLDER . '/' . bin2hex(strlen($address) === 16 ? substr($address, 0, 8) : $address);
    }
}

<?php
// Replaces a member's name in the files of a wiki; called by bin/forget-member with NAME and WIKI.
// Nothing is changed while DokuWiki changes the same file: both use DokuWiki's locks.
const FORMER = 'former-member';
const NOWHERE = '0.0.0.0';
define('NOSESSION', 1);
define('DOKU_INC', '/usr/share/dokuwiki/');
$_SERVER += ['SCRIPT_NAME' => '/doku.php', 'DOCUMENT_ROOT' => DOKU_INC];
require DOKU_INC . 'inc/init.php';
[$name, $wiki] = [getenv('NAME'), getenv('WIKI')];

/** Change a file by a function of its text, if that changes it; return how many times the function says. */
function change(string $file, callable $change): int
{
    io_lock($file);
    try {
        $text = (string) file_get_contents($file);
        $count = 0;
        $new = $change($text, $count);
        if ($new === $text) return 0;
        $time = filemtime($file);
        if (file_put_contents("$file.new", $new) === false || !chmod("$file.new", fileperms($file) & 0777)
            || !touch("$file.new", $time) || !rename("$file.new", $file)) {
            fwrite(STDERR, "forget-member: cannot write $file\n");
            exit(1);
        }
        return $count;
    } finally {
        io_unlock($file);
    }
}

/** Yield the files below a folder whose names end like this. */
function files(string $folder, string $end): iterable
{
    if (!is_dir($folder)) return;
    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS)) as $file) {
        if ($file->isFile() && str_ends_with($file->getFilename(), $end)) yield $file->getPathname();
    }
}

/** Return a history without the member. Its columns: time, address, kind, page, member, summary, …, with tabs between. */
function history(string $text, int &$count): string
{
    global $name;
    $lines = explode("\n", $text);
    foreach ($lines as &$line) {
        $columns = explode("\t", $line);
        if (($columns[4] ?? '') !== $name) continue;
        [$columns[1], $columns[4]] = [NOWHERE, FORMER];
        $line = implode("\t", $columns);
        $count++;
    }
    return implode("\n", $lines);
}

/** Return what DokuWiki knows of a page without the member: who made it, who changed it. */
function metadata(string $text, int &$count): string
{
    $meta = @unserialize($text, ['allowed_classes' => false]);
    if (!is_array($meta)) return $text;
    foreach ($meta as &$part) {
        if (is_array($part)) $count += without($part);
    }
    return $count ? serialize($meta) : $text;
}

function without(array &$part): int
{
    global $name;
    $count = 0;
    if (($part['user'] ?? '') === $name) {
        [$part['user'], $part['creator']] = [FORMER, FORMER];
        $count++;
    }
    if (isset($part['contributor'][$name])) {
        unset($part['contributor'][$name]);
        $part['contributor'][FORMER] = FORMER;
        $count++;
    }
    if (($part['last_change']['user'] ?? '') === $name) {
        $part['last_change'] = ['user' => FORMER, 'ip' => NOWHERE] + $part['last_change'];
        $count++;
    }
    return $count;
}

/** Return the access rules without those of the member. Columns: page, member, number; a name is written as in a URL. */
function rules(string $text, int &$count): string
{
    global $name;
    $lines = explode("\n", $text);
    $kept = array_filter($lines, fn($line) => (preg_split('/\s+/', trim($line))[1] ?? '') !== auth_nameencode($name));
    $count += count($lines) - count($kept);
    return implode("\n", $kept);
}

/** Return a list of subscribers without the lines of the member. */
function lines(string $text, int &$count): string
{
    global $name;
    $lines = explode("\n", $text);
    $kept = array_filter($lines, fn($line) => strtok($line, " \t") !== $name);
    $count += count($lines) - count($kept);
    return implode("\n", $kept);
}

$done = ['versions' => 0, 'pages' => 0, 'access rules' => 0];
foreach (['meta', 'media_meta'] as $folder) {
    foreach (files("$wiki/data/$folder", '.changes') as $file) $done['versions'] += change($file, 'history');
    foreach (files("$wiki/data/$folder", '.mlist') as $file) change($file, 'lines');
    foreach (files("$wiki/data/$folder", '.meta') as $file) $done['pages'] += change($file, 'metadata') ? 1 : 0;
}
$done['access rules'] += change("$wiki/conf/acl.auth.php", 'rules');
// What DokuWiki makes again, or keeps for a while only: feeds with names, drafts and locks of the member, logs. A draft of
// another member stays, and so does their token for programs.
foreach (['cache', 'locks', 'log', 'tmp'] as $folder) {
    foreach (files("$wiki/data/$folder", '') as $file) {
        $text = (string) @file_get_contents($file);
        $draft = str_ends_with($file, '.draft') ? @unserialize($text, ['allowed_classes' => false]) : [];
        $theirs = $draft ? ($draft['client'] ?? '') === $name : preg_match('/(?<![\w.-])' . preg_quote($name, '/') . '(?![\w-])/', $text);
        if ($theirs && !str_ends_with($file, '.token')) @unlink($file);
    }
}
echo basename($wiki), ': ', implode(', ', array_map(fn($what) => "$what changed: $done[$what]", array_keys($done))), "\n";

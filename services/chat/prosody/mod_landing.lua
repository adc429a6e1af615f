-- GET / shows a member how to connect. GET /health answers whether messages can be stored.
local escape = require "prosody.util.stanza".xml_escape;

local store = module:open_store("health");

local text = [[
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chat on DOMAIN</title>
<style>body { font: 1.1em/1.5 sans-serif; max-width: 36em; margin: 3em auto; padding: 0 1em }</style>
<h1>Chat on DOMAIN</h1>
<p>Use any XMPP program: Dino or Gajim on a computer, Conversations on Android, Monal on an iPhone.</p>
<ul>
<li>Your address: <b>your member name@DOMAIN</b>, with your member password.
<li>If your program asks for a server: DOMAIN, port 5222, with STARTTLS.
<li>Rooms: <b>any name@rooms.DOMAIN</b>. If the room does not exist yet, joining makes it.
<li>For a program in a web page: <code>/xmpp-websocket</code> and <code>/http-bind</code> on this host, over https.
</ul>
]];
local page = text:gsub("DOMAIN", (escape(module.host)));

local function landing(event)
	event.response.headers.content_type = "text/html; charset=utf-8";
	return page;
end

local function health(event)
	event.response.headers.content_type = "text/plain; charset=utf-8";
	local _, err = store:get("health");
	if not err then return "healthy\n"; end
	module:log("error", "The database does not answer: %s", err);
	event.response.status_code = 503;
	return "the database does not answer\n";
end

module:depends("http");
module:provides("http", {
	default_path = "/";
	route = { ["GET /"] = landing, ["GET /health"] = health };
});

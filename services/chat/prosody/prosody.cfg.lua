-- The collective's chat. DOMAIN comes from the compose file; ada's address is ada@DOMAIN.
local domain = ENV_DOMAIN or "localhost"
local data = "/var/lib/prosody"

-- Requests through a published port come from the container's gateway. So only the router may set the client's
-- address and whether it used TLS.
local function gateway()
	for line in Lua.io.lines("/proc/net/route") do
		local a, b, c, d = line:match("^%S+%s+00000000%s+(%x%x)(%x%x)(%x%x)(%x%x)")
		if a then
			return ("%d.%d.%d.%d"):format(Lua.tonumber(d, 16), Lua.tonumber(c, 16), Lua.tonumber(b, 16), Lua.tonumber(a, 16))
		end
	end
end
local router = gateway()
trusted_proxies = { router }

plugin_paths = { "/usr/local/lib/prosody/modules" }
data_path = data
log = { info = "*console" }

modules_enabled = {
	"disco", "roster", "saslauth", "tls", "limits", "posix", "admin_shell",
	-- Messages are kept in the archive, reach all devices of a member, and survive a lost connection.
	"mam", "carbons", "smacks", "csi_simple",
	"pep", "bookmarks", "blocklist", "private", "vcard4", "vcard_legacy", "ping", "time",
	"bosh", "websocket", "landing", "net_proxy",
}
-- This server is for its members only; it does not connect to other servers.
modules_disabled = { "s2s" }

c2s_ports = { 5222 }
-- The router says on this port who its clients are.
proxy_port_mappings = { [5223] = "c2s" }
proxy_trusted_proxies = { router }
http_ports = { 5280 }
http_interfaces = { "*" }
https_ports = {}
http_default_host = domain
http_external_url = "https://chat." .. domain .. "/"

-- The directory checks passwords and needs them unhashed. So the mechanism is PLAIN, only inside TLS.
c2s_require_encryption = true
allow_unencrypted_plain_auth = false
allow_registration = false
authentication = "member"
authenticator_workers = Lua.tonumber(ENV_WORKERS)

storage = "sql"
sql = { driver = "PostgreSQL", host = "/run/postgresql", database = "prosody", username = "prosody" }

-- README.md says what is kept of members' messages, and for how long.
default_archive_policy = true
archive_expires_after = "1y"

limits = { c2s = { rate = "20kb/s" } }

VirtualHost (domain)
	ssl = { key = data .. "/tls/key.pem", certificate = data .. "/tls/chain.pem" }

Component ("rooms." .. domain) "muc"
	name = "Rooms"
	modules_enabled = { "muc_mam" }
	restrict_room_creation = "local"
	-- A new room is open to all members immediately, and still exists after the last member has left.
	muc_room_locking = false
	muc_room_default_persistent = true
	muc_log_by_default = true
	muc_log_expires_after = "1y"

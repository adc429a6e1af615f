-- Members log in with their password of the directory. The program `authenticator` asks the directory, so that nobody
-- else waits meanwhile. A source that fails has to wait, and a stream with three failed logins is closed.
local async = require "prosody.util.async";
local new_ip = require "prosody.util.ip".new_ip;
local new_sasl = require "prosody.util.sasl".new;
local prep = require "prosody.util.jid".prep;
local server = require "prosody.net.server";
local timer = require "prosody.util.timer";
local unix = require "socket.unix";

local path = "/run/authenticator/socket";
local workers = module:get_option_integer("authenticator_workers", 4, 1);
-- How long a failed login is not answered, and how many of one source may be waiting.
local delay = module:get_option_period("failed_login_delay", 3);
local most_per_source = module:get_option_integer("logins_per_source", 5, 1);
local most_failures = module:get_option_integer("failed_logins_per_stream", 3, 1);

local asking, queue = 0, {}; -- requests to the authenticator, at most one for each worker; and those that wait
local waiting = {}; -- source -> its logins that are not answered yet

local start;
local function finish(request, said)
	if request.said then return; end
	request.said = said;
	asking = asking - 1;
	request.done();
	if queue[1] then start(table.remove(queue, 1)); end
end

local function listener_for(request)
	local buffer = "";
	return {
		onconnect = function (conn)
			conn:write(("%s %d %d\n%s%s"):format(request.what, #request.name, #request.password, request.name, request.password));
		end;
		onincoming = function (conn, data)
			buffer = buffer .. (data or "");
			local said = buffer:match("^(%l+)\n");
			if said then finish(request, said); conn:close(); end
		end;
		ondisconnect = function () finish(request, "error"); end;
	};
end

function start(request)
	asking = asking + 1;
	local socket = unix.stream and unix.stream() or unix();
	socket:settimeout(0);
	local ok, why = socket:connect(path);
	if not ok then
		module:log("error", "The authenticator does not answer: %s", why);
		return finish(request, "error");
	end
	local conn = server.wrapclient(socket, path, 0, listener_for(request), "*a");
	timer.add_task(20, function () if not request.said then conn:close(); end end);
end

-- Returns "yes", "no" or "error"; other members are served meanwhile.
local function ask(what, name, password)
	local wait, done = async.waiter();
	local request = { what = what, name = name, password = password, done = done };
	if asking < workers then start(request); else table.insert(queue, request); end
	wait();
	return request.said;
end

-- Returns the address that counts; of IPv6, the network that one person usually has.
local function source_of(session)
	local address = session.ip or "?";
	local ip = new_ip(address);
	return ip and ip.proto == "IPv6" and ip.addr:match("^%x+:%x+:%x+:%x+") or address;
end

-- Returns the answer to a login; it comes late unless it is "yes". "busy": it was not checked.
local function check(session, name, password, typed)
	local source = source_of(session);
	local count = (waiting[source] or 0) + 1;
	if count > most_per_source then
		module:log("info", "Too many failed logins from %s", source);
		async.sleep(delay);
		return "busy";
	end
	waiting[source] = count;
	local said = ask("check", name, password);
	if said == "no" and typed ~= password then said = ask("check", name, typed); end
	if said ~= "yes" then async.sleep(delay); end
	count = waiting[source] - 1;
	waiting[source] = count > 0 and count or nil;
	return said;
end

local provider = {};

-- Prosody gives us the password in Unicode's form NFKC, in which "…" is "...". The directory has the form NFC, in which
-- it stays, so a password is also tried as it was typed.
function provider.get_sasl_handler(session)
	local sasl = new_sasl(module.host, {
		plain_test = function (self, name, password, _, act_as)
			local own = act_as == nil or act_as == "" or prep(act_as) == name .. "@" .. module.host;
			session.login_answer = own and check(session, name, password, self.typed or password) or "another";
			return session.login_answer == "yes", true;
		end;
	});
	local process = sasl.process;
	function sasl:process(message)
		self.typed = message and message:match("^[^%z]*%z[^%z]+%z([^%z]+)");
		return process(self, message);
	end
	function sasl.clean_clone() return provider.get_sasl_handler(session); end
	return sasl;
end

-- Also asked for each message to a member who is not connected, so the answer is kept for a minute.
local known = {};
function provider.user_exists(name)
	if known[name] ~= nil then return known[name]; end
	if not async.ready() then return true; end
	local said = ask("find", name, "");
	if said == "error" then return true; end
	known[name] = said == "yes";
	timer.add_task(60, function () known[name] = nil; end);
	return known[name];
end

function provider.test_password(name, password) return ask("check", name, password) == "yes"; end
function provider.set_password() return nil, "Passwords are changed in the directory"; end
function provider.create_user() return nil, "Members are added in the directory"; end

module:hook("authentication-failure", function (event)
	local session = event.session;
	-- The password may be right: the client should try again later, and not ask the member for another one.
	if session.login_answer == "busy" or session.login_answer == "error" then
		event.condition, event.text = "temporary-auth-failure", "Try again later";
	end
	if session.login_answer == "another" then
		event.condition, event.text = "invalid-authzid", "Members log in as themselves";
	end
	session.failed_logins = (session.failed_logins or 0) + 1;
	if session.failed_logins < most_failures then return; end
	-- After the answer to this login.
	timer.add_task(0, function ()
		session:close({ condition = "policy-violation", text = "Too many failed logins" });
	end);
end);

module:provides("auth", provider);

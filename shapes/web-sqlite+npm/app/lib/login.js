// Logins: the directory knows the members and their passwords.
const crypto = require("node:crypto");
const fs = require("node:fs");

const DIRECTORY = "ldaps://directory";
const BASE = "ou=people,dc=collective";
const CA = "/trust/ca.crt";
const SECONDS = 60; // for so long, a login is not checked again: each check costs the directory much work
const SALT = crypto.randomBytes(16);
const known = new Map();

// Returns the name of a member in the directory's own spelling; empty if name or password are wrong.
async function member(name, password) {
    if (!password) return ""; // a bind without a password always succeeds
    const { Client, EqualityFilter, InvalidCredentialsError } = await import("ldapts");
    const tlsOptions = { ca: [fs.readFileSync(CA)] };
    const client = new Client({ url: DIRECTORY, tlsOptions, connectTimeout: 3000, timeout: 5000 });
    try {
        const filter = new EqualityFilter({ attribute: "uid", value: name });
        const { searchEntries } = await client.search(BASE, { filter, attributes: ["uid"] });
        if (searchEntries.length !== 1) return "";
        await client.bind(searchEntries[0].dn, password);
        return [searchEntries[0].uid].flat()[0];
    } catch (error) {
        if (error instanceof InvalidCredentialsError) return "";
        throw error;
    } finally {
        await client.unbind().catch(() => {});
    }
}

// Returns who sends this request. For nobody, it answers with 401, and without the directory with 503; then it returns "".
exports.user = async (request, response) => {
    const basic = /^Basic (.+)$/i.exec(request.headers.authorization || "");
    const login = /^([^:]*):(.*)$/s.exec(basic ? Buffer.from(basic[1], "base64").toString() : "");
    const [, name, typed] = login || ["", "", ""];
    const password = typed.normalize("NFC"); // as the directory has it; some keyboards write "é" as two characters
    const key = crypto.createHash("sha256").update(SALT).update(`${name}\0${password}`).digest("hex");
    let { uid, until } = known.get(key) || { uid: "", until: 0 };
    if (Date.now() > until) {
        known.delete(key);
        try {
            uid = await member(name, password);
        } catch (error) {
            console.log(`login: no answer from the directory: ${error}`);
            response.writeHead(503).end("The directory does not answer. Try again later.\n");
            return "";
        }
        if (uid) known.set(key, { uid, until: Date.now() + SECONDS * 1000 });
    }
    if (!uid) {
        response.writeHead(401, { "WWW-Authenticate": 'Basic realm="members", charset="UTF-8"' });
        response.end("Log in with your name and password.\n");
    }
    return uid;
};

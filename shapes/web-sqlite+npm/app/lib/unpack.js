// Unpacks the packages of a package-lock.json, if their hashes are those that it names: unpack.js FOLDER TARGET
const { execFileSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const [folder, target] = process.argv.slice(2);
const { packages } = JSON.parse(fs.readFileSync(path.join(folder, "package-lock.json"), "utf8"));
for (const [place, { version, integrity }] of Object.entries(packages)) {
    if (!place) continue; // the program itself
    const name = place.split("node_modules/").pop().replace("@", "").replace("/", "-");
    const file = path.join(folder, `${name}-${version}.tgz`);
    const [algorithm, wanted] = integrity.split(/-(.*)/s);
    if (createHash(algorithm).update(fs.readFileSync(file)).digest("base64") !== wanted) {
        throw new Error(`${file} is not the package that package-lock.json names`);
    }
    fs.mkdirSync(path.join(target, place), { recursive: true });
    execFileSync("tar", ["-xzf", file, "--strip-components=1", "--no-same-owner", "-C", path.join(target, place)]);
}

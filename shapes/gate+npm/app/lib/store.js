// The notes: one file for each, with its writer in the first line.
const fs = require("node:fs/promises");

const NOTES = "/var/lib/app/current";

// Writes a note, which is on the disk afterwards.
exports.add = async (who, text) => {
    const name = `${Date.now()}${String(process.hrtime.bigint() % 1000000n).padStart(6, "0")}`;
    await fs.writeFile(`${NOTES}/.${name}`, `${who}\n${text}`, { flush: true });
    await fs.rename(`${NOTES}/.${name}`, `${NOTES}/${name}.note`);
};

// Returns all notes, the oldest first: who wrote it, and the text.
exports.notes = async () => {
    const names = (await fs.readdir(NOTES)).filter((name) => name.endsWith(".note")).sort();
    const texts = await Promise.all(names.map((name) => fs.readFile(`${NOTES}/${name}`, "utf8")));
    return texts.map((text) => ({ writer: text.split("\n", 1)[0], text: text.slice(text.indexOf("\n") + 1) }));
};

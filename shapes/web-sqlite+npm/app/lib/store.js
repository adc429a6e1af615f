// The notes, in an SQLite database.
const sqlite3 = require("sqlite3");

const database = new sqlite3.Database("/var/lib/app/app.db", sqlite3.OPEN_READWRITE);
database.configure("busyTimeout", 60_000);

// Runs one statement; returns its rows.
const ask = (sql, ...values) =>
    new Promise((resolve, reject) => {
        database.all(sql, values, (error, rows) => (error ? reject(error) : resolve(rows)));
    });

// Writes a note, which is on the disk afterwards.
exports.add = (who, text) => ask("INSERT INTO notes (writer, text) VALUES (?, ?)", who, text);

// Returns all notes, the oldest first: who wrote it, and the text.
exports.notes = () => ask("SELECT writer, text FROM notes ORDER BY id");

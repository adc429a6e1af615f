// The notes, in the PostgreSQL of the other container.
const postgres = require("postgres");

// By the socket: PostgreSQL knows this program by its user, so there is no password.
const sql = postgres({ host: "/run/postgresql", user: "app", database: "app", max: 4, onnotice: () => {} });

// Makes the tables, if they are not there.
exports.makeTables = async () => {
    await sql`CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, writer text NOT NULL, text text NOT NULL)`;
    await sql.end();
};

// Writes a note, which is on the disk afterwards.
exports.add = (who, text) => sql`INSERT INTO notes (writer, text) VALUES (${who}, ${text})`;

// Returns all notes, the oldest first: who wrote it, and the text.
exports.notes = () => sql`SELECT writer, text FROM notes ORDER BY id`;

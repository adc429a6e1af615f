// The notes, in the MariaDB of the other container.
const mariadb = require("mariadb");

// By the socket: MariaDB knows this program by its user, so there is no password.
const pool = mariadb.createPool({ socketPath: "/run/mysqld/mysqld.sock", user: "app", database: "app", connectionLimit: 4 });

// Writes a note, which is on the disk afterwards.
exports.add = (who, text) => pool.query("INSERT INTO notes (writer, text) VALUES (?, ?)", [who, text]);

// Returns all notes, the oldest first: who wrote it, and the text.
exports.notes = () => pool.query("SELECT writer, text FROM notes ORDER BY id");

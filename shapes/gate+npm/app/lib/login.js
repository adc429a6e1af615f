// Who somebody is: the gate sets this header, and removes one that a client has sent.
exports.user = async (request, response) => {
    const uid = request.headers["x-remote-user"] || "";
    if (!uid) response.writeHead(401).end("The gate did not say who this is.\n");
    return uid;
};

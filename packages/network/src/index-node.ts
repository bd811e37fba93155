/** The parts of the network that use the host's sockets and files. */
export {};

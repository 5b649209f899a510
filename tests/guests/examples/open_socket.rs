//! Opens a connection of its own.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/open_socket.yaml", attack);

/// Whatever uses `std::net` imports `wasi:sockets`, and a plugin with that import is refused.
fn attack() -> Result<String, Error> {
    Ok(format!("{:?}", std::net::TcpStream::connect("127.0.0.1:80").is_ok()))
}

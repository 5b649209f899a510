//! Never answers.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/loop_forever.yaml", attack);

/// Never ends, and asks the host for nothing while it does not.
fn attack() -> Result<String, Error> {
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(number.rotate_left(7) ^ 0x5555);
        if number == 0 {
            return Ok("zero".to_owned());
        }
    }
}

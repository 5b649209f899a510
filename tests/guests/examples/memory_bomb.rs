//! Takes all the memory that there is.

use callboard_sdk::Error;

callboard_guests::hostile!("examples/memory_bomb.yaml", attack);

/// Takes memory, and writes to it so that it is really taken.
fn attack() -> Result<String, Error> {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(vec![1; 1024 * 1024]);
        std::hint::black_box(&taken);
    }
}

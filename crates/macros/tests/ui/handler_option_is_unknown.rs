use windlass_macros::debug_handler;

#[debug_handler(app = u32)]
async fn send_email(_: u32) {}

fn main() {}

use windlass_macros::debug_handler;

#[debug_handler]
async fn send_email() {}

fn main() {}

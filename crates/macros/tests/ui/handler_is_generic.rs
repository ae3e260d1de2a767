use windlass_macros::debug_handler;

#[debug_handler]
async fn send_email<T>(_: T) {}

fn main() {}

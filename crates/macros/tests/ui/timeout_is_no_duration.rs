use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send_welcome_email", timeout = "30 parsecs")]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}

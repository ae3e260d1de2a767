use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send_welcome_email", queue = "")]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}

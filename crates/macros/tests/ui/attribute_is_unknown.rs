use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send_welcome_email", max_attempts = 5)]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}

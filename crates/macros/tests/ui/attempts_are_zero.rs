use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send_welcome_email", attempts = 0)]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}

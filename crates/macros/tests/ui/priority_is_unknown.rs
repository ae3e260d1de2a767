use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send_welcome_email", priority = "urgent")]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}

use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send_welcome_email", queue = "mail", queue = "post")]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}

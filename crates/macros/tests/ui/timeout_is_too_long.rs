use windlass_macros::Job;

#[derive(Job)]
#[job(kind = "send_welcome_email", timeout = "100000h")]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}

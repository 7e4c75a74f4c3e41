//! What the certification of OpenID providers looks at, checked here before an outside judge does.

mod front_channel;

// Who can sign in, by what is typed as user name, with what is told about them.

const account = (sub, name, login, email, email_verified = true) => ({
  sub, name, preferred_username: login, email, email_verified, picture: `https://pictures.example.com/${login}.png`,
});

export const accounts = {
  ada: account('7f3c-ada', 'Ada Lovelace', 'ada', 'ada@example.com'),
  grace: account('81d0-grace', 'Grace Hopper', 'grace', 'grace+portal@example.com'),
  // Says that Ada's address is hers, which nobody has looked into.
  eve: account('0bad-eve', 'Eve', 'eve', 'ada@example.com', false),
  // An address of another domain, which a provider of many organisations hands out as well.
  mallory: account('0bad-mallory', 'Mallory', 'mallory', 'mallory@elsewhere.example'),
  // Two users of the catalog have this address.
  twin: account('2222-twin', 'Twin', 'twin', 'twin@example.com'),
  // Nobody in the catalog has this address.
  nobody: account('5a5a-nobody', 'Nobody', 'nobody', 'nobody@example.com'),
  // Has no address at all.
  plain: { sub: '6b6b-plain', name: 'Plain', preferred_username: 'plain' },
};

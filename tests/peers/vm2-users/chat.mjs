// juicy-chat-bot 0.8: a chat bot whose users' words are put into code.
//
// One VM a bot, with a class of the host's (`new Nlp()` in the sandbox, whose methods are called there) and an object of the host's, `training`, in which the code sets `state`. Many runs of the same VM,
// which keep their state, and give texts, and promises of objects.
import assert from 'node:assert/strict';
import chat from 'juicy-chat-bot';
import { cases } from './cases.mjs';

const BYE = 'Farewell', JOKES = ['Knock knock.', 'There is no place like 127.0.0.1.'];
const answer = (body) => ({ action: 'response', body });
const KNOWN = {
  lang: 'en',
  data: [
    { intent: 'end', utterances: ['see you later', 'I have to go now'], answers: [answer(BYE)] },
    { intent: 'begin', utterances: ['good morning', 'hello', 'hi there'], answers: [answer('Welcome <customer-name>, I am <bot-name>')] },
    { intent: 'joke', utterances: ['tell me a joke', 'make me laugh'], answers: JOKES.map(answer) },
  ],
};
const NOTHING = 'I do not understand';

const newBot = () => {
  const bot = new chat.Bot('Ada', 'I am <bot-name>, and you are <customer-name>', JSON.stringify(KNOWN), NOTHING);
  bot.addUser('17', 'Grace');
  return bot;
};
const trained = async () => {
  const bot = newBot();
  await bot.train();
  return bot;
};

await cases({
  async 'users are kept'() {
    const bot = newBot();
    bot.addUser('18', 'Barbara');
    assert.equal(bot.getUser('17'), 'Grace');
    assert.equal(bot.getUser('18'), 'Barbara');
    assert.equal(bot.getUser('19'), undefined);
    assert.equal(newBot().getUser('18'), undefined);
  },
  async 'it greets'() {
    assert.equal(newBot().greet('17'), 'I am Ada, and you are Grace');
  },
  async 'what it knows'() {
    assert.deepEqual(JSON.parse(JSON.stringify(newBot().factory.run('trainingSet'))), KNOWN);
  },
  async 'the host sees that it was trained'() {
    const bot = newBot();
    assert.equal(bot.training.state, false);
    await bot.train();
    assert.equal(bot.training.state, true);
  },
  async 'it answers'() {
    const bot = await trained();
    assert.deepEqual(await bot.respond('hi there', '17'), answer('Welcome Grace, I am Ada'));
    assert.deepEqual(await bot.respond('see you later', '17'), answer(BYE));
    const joke = await bot.respond('tell me a joke', '17');
    assert.ok(JOKES.includes(joke.body), joke.body);
  },
  async 'it answers what it does not know'() {
    assert.deepEqual(await (await trained()).respond('xyzzy plugh frotz', '17'), { action: 'response', body: NOTHING });
  },
  async 'a question with a quotation mark in it is code'() {
    const bot = await trained();
    await assert.rejects(bot.respond('"', '17'), { name: 'SyntaxError' });
    bot.addUser('20', '"); users.addUser("21", "Mallory'); // as the package has it
    assert.equal(bot.getUser('21'), 'Mallory');
    bot.addUser('22', '" + typeof require + " ');
    assert.equal(bot.getUser('22'), 'undefined '); // no `require` there
  },
});

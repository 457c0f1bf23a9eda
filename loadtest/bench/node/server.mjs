// Node's `ws`: a `send` for each client and message. Speaks what loadtest/bench/contender.py describes.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";

const message = Buffer.from("x".repeat(Number(process.argv[2])));
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

server.on("listening", () => say({ port: server.address().port }));

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (!("flushes" in order)) {
    say({ clients: server.clients.size, memory: process.memoryUsage().rss });
    continue;
  }
  const before = process.cpuUsage();
  for (let flush = 0; flush < order.flushes; flush++) {
    for (let count = 0; count < order.size; count++) {
      for (const client of server.clients) client.send(message, { binary: false });
    }
    await sleep(order.pause * 1000);
  }
  const used = process.cpuUsage(before);
  say({ cpu: (used.user + used.system) / 1e6, messages: order.flushes * order.size });
}
process.exit(0);

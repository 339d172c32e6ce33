// What would be a model: it says the same each time.
import { AIMessage } from '@langchain/core/messages';
import { fakeModel } from 'langchain';

const WRONG = `rows = [line.split(',') for line in open('sales.csv')]
sum(int(amount) for month, amount in rows)`;

const FORBIDDEN = `open('/etc/fstab').read()`;

const RIGHT = String.raw`import csv, struct, zlib

amounts = [int(row['amount']) for row in csv.DictReader(open('sales.csv'))]
print(len(amounts), 'months')

class Bars:
    def _repr_png_(self):
        def chunk(kind, data):
            return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        wide, high = 20 * len(amounts), max(amounts)
        lines = b''.join(b'\0' + bytes(0 if amount >= y else 255 for amount in amounts for _ in range(20)) for y in range(high, 0, -1))
        head = struct.pack('>IIBBBBB', wide, high, 8, 0, 0, 0, 0)
        return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(lines)) + chunk(b'IEND', b'')

display(Bars())
sum(amounts)`;

const calls = (model, ...sources) => sources.reduce((made, source) => made.respondWithTools([{ name: 'python', args: { source } }]), model);

/** It is wrong, then curious, then right. */
export const scripted = () => calls(fakeModel(), WRONG, FORBIDDEN, RIGHT).respond(new AIMessage('455 was sold in three months, most of it in July.'));

/** Its code takes longer than anybody waits. */
export const patient = () => calls(fakeModel(), 'import time\ntime.sleep(600)').respond(new AIMessage('Done.'));

// Runs an ONNX file with ONNX Runtime: node onnx_runtime.mjs MODEL IMAGES OUTPUTS N C H W [REPEATS]
// IMAGES: N*C*H*W float32 numbers; OUTPUTS gets the network's. With REPEATS prints the seconds of that many runs.
// NODE_PATH's first folder holds onnxruntime-node; ORT_THREADS sets the threads (default 1).
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.NODE_PATH.split(':')[0], 'unused.js'));
const ort = require('onnxruntime-node');
const [model, images, outputs, ...numbers] = process.argv.slice(2);
const [n, c, h, w, repeats] = numbers.map(Number);
const threads = Number(process.env.ORT_THREADS ?? 1);
const session = await ort.InferenceSession.create(model, {intraOpNumThreads: threads, interOpNumThreads: 1});
const bytes = fs.readFileSync(images);
const floats = new Float32Array(bytes.buffer, bytes.byteOffset, n * c * h * w);
const input = new ort.Tensor('float32', floats, [n, c, h, w]);
const result = (await session.run({input})).output;
fs.writeFileSync(outputs, Buffer.from(result.data.buffer, result.data.byteOffset, result.data.byteLength));
for (let i = 0; i < (repeats ?? 0); ++i) {
  const begin = process.hrtime.bigint();
  await session.run({input});
  console.log(Number(process.hrtime.bigint() - begin) / 1e9);
}

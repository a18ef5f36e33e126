// Graphs: a replay gives what the calls would give, on the tensors as they are then.
import { expect } from 'chai';
import { CulossError, cuda, type Device, Stream, type Tensor, tensor } from 'culoss';
import { batchOf, criterionOf, floatDtypes, lossNames } from './cases.mjs';
import {
  callsOf,
  forgetWhatIsLost,
  itUnless,
  liveOn,
  notEmulated,
  numbers,
  onCuda,
  onStreams,
} from './devices.mjs';
import { wrong } from './errors.cases.mjs';
import { expectError, expectRejection, expectSame } from './expect.mjs';

const shape = [33, 5] as const;
const { inputs, ids, soft } = batchOf(shape, 'logits');
const other = batchOf(shape, 'logits', 2).inputs;
const criterion = criterionOf({ loss: 'BinaryFocalLoss', from: 'logits' });

const logitsOn = (device: Device, of = inputs): Tensor<'float32'> =>
  tensor(of, undefined, { device }) as Tensor<'float32'>;
const idsOn = (device: Device): Tensor => tensor(new Int32Array(ids), [33], { device });
const badIdsOn = (device: Device): Tensor =>
  tensor(new Int32Array(ids).fill(5, 7, 8), [33], { device });
const lossOf = (device: Device, of = inputs): number[] =>
  numbers(criterion.forward(logitsOn(device, of), idsOn(device)));

describe('graphs', () => {
  beforeEach(forgetWhatIsLost);

  for (const loss of lossNames) {
    for (const dtype of floatDtypes) {
      onStreams(`${loss} graphs ${dtype} a replay gives what the call gives`, (device) => {
        for (const targets of [ids, soft]) {
          for (const reduction of ['mean', 'none'] as const) {
            const weights = { weight: [1, 2, 3, 4, 5], alpha: [0.5, 0.25, 0.5, 1, 0] };
            const criterion = criterionOf({ loss, from: 'logits' }, { reduction, ...weights });
            const x = tensor(inputs, undefined, { dtype, device });
            const call = { sampleWeight: new Float32Array(33).fill(0.5), gradOutput: 3 };
            const run = () => criterion.valueAndGrad(x, targets, call);
            using graph = cuda.graph(run);
            for (const values of [inputs, other]) {
              x.set(tensor(values, undefined, { dtype }));
              graph.replay();
              const eager = run();
              expectSame(numbers(graph.result.loss), numbers(eager.loss));
              expectSame(numbers(graph.result.grad), numbers(eager.grad));
            }
          }
        }
      });
    }
  }

  onStreams('graphs: the capture runs nothing, each replay runs all', (device) => {
    const [x, y] = [logitsOn(device), idsOn(device)];
    const out = tensor([7], [], { device });
    using graph = cuda.graph(() => criterion.forward(x, y, { out }));
    expect(graph.result).to.equal(out);
    expect(graph.device).to.equal(device);
    expect(out.item()).to.equal(7);
    for (let i = 0; i < 3; i++) {
      out.set(new Float32Array([7]));
      graph.replay();
      expectSame(numbers(out), lossOf(device));
    }
  });

  onStreams(
    'graphs: calls that build on one another, and copies, are replayed in order',
    (device) => {
      const [x, y] = [logitsOn(device), idsOn(device)];
      const copy = logitsOn(device, other);
      const run = (): Tensor => {
        copy.set(x);
        const { grad } = criterion.valueAndGrad(copy, y, { gradOutput: 100 });
        return criterion.forward(grad, y);
      };
      using graph = cuda.graph(run);
      for (const values of [inputs, other]) {
        x.set(logitsOn('cpu', values));
        graph.replay();
        const replayed = numbers(graph.result);
        expectSame(replayed, numbers(run()));
      }
    },
  );

  onStreams('graphs: what their calls touch is kept, whatever is disposed', (device) => {
    const weight = tensor([1, 2, 3, 4, 5], undefined, { device });
    const criterion = criterionOf({ loss: 'CategoricalFocalLoss', from: 'logits' }, { weight });
    const [x, y] = [logitsOn(device), idsOn(device)];
    const outGrad = logitsOn(device);
    const { loss } = criterion.valueAndGrad(x, y);
    using graph = cuda.graph(() => criterion.valueAndGrad(x, y, { outGrad }).loss);
    for (const t of [weight, x, y, outGrad]) t.dispose();
    const next = Array.from({ length: 8 }, () => logitsOn(device, other));
    for (let i = 0; i < 3; i++) graph.replay();
    expectSame(numbers(graph.result), numbers(loss));
    for (const t of next) expectSame(numbers(t), numbers(logitsOn(device, other)));
  });

  onStreams(
    'graphs: replays are in order with whatever shares their tensors, in any stream',
    (device) => {
      using first = new Stream();
      using second = new Stream();
      const [x, y] = [logitsOn(device), idsOn(device)];
      const [a, b] = [logitsOn(device), logitsOn(device, other)];
      using graph = cuda.graph(() => criterion.forward(x, y));
      const results = [a, b, a, b].map((values, i) => {
        const [writes, replays] = i < 2 ? [first, second] : [second, first];
        writes.run(() => x.set(values));
        replays.run(() => graph.replay());
        const result = tensor([0], [], { device });
        return i % 2 === 0 ? result.set(graph.result) : first.run(() => result.set(graph.result));
      });
      const [va, vb] = [lossOf(device), lossOf(device, other)];
      expectSame(results.flatMap(numbers), [va, vb, va, vb].flat());
    },
  );

  onStreams(
    'graphs: a bad class id of a replay is thrown once, at the next read',
    async (device) => {
      const y = badIdsOn(device);
      using stream = new Stream();
      using idle = new Stream();
      const x = logitsOn(device);
      using graph = cuda.graph(() => criterion.forward(x, y));
      await cuda.synchronize(); // the capture found nothing
      for (const replay of [() => graph.replay(), () => stream.run(() => graph.replay())]) {
        replay();
        await idle.synchronize();
        expectError(() => x.dataSync(), 'ERR_TARGET_RANGE', RangeError, /^targets\[7\]: .* got 5$/);
        await cuda.synchronize();
      }
      stream.run(() => graph.replay());
      await expectRejection(stream.synchronize(), 'ERR_TARGET_RANGE');
      y.set(idsOn(device));
      graph.replay();
      expectSame(numbers(graph.result), lossOf(device));
      y.set(badIdsOn(device));
      graph.replay();
      graph.dispose();
      expectError(() => x.dataSync(), 'ERR_TARGET_RANGE', RangeError, /^targets\[7\]/);
    },
  );

  onStreams('graphs: in a stream, and timed', (device) => {
    using stream = new Stream();
    const [x, y] = [logitsOn(device), idsOn(device)];
    using graph = stream.run(() => cuda.graph(() => criterion.forward(x, y)));
    expect(stream.time(() => graph.replay())).to.be.above(0);
    expectSame(numbers(graph.result), lossOf(device));
  });

  onCuda(
    'graphs: what cannot be replayed is an error, and leaves all as it was cuda:0',
    async () => {
      const [x, y] = [logitsOn('cuda:0'), idsOn('cuda:0')];
      const eager = criterionOf({ loss: 'NegativeLogLoss', from: 'logits' }, { validate: 'eager' });
      using stream = new Stream();
      using graph = cuda.graph(() => criterion.forward(x, y));
      const refused: [() => unknown, string][] = [
        [() => x.dataSync(), 'a read of device memory'],
        [() => x.cpu(), 'a read of device memory'],
        [() => criterion.forward(x, y).item(), 'a read of device memory'],
        [() => eager.forward(x, y), "validate: 'eager', which waits"],
        [() => cuda.graph(() => 1), 'another graph'],
        [() => graph.replay(), 'a replay'],
        [() => stream.run(() => 1), 'another stream'],
        [() => stream.time(() => 1), 'another stream'],
      ];
      if (cuda.deviceCount() > 1) refused.push([() => x.cuda(1), 'a copy between devices']);
      const refusal = 'cuda.graph: expected calls that a replay can repeat, got';
      const before = process.env.CULOSS_EMULATION_LIVE && (await liveOn(0));
      for (const [call, what] of refused) {
        const run = () => cuda.graph(() => [criterion.forward(x, y).dispose(), call()]);
        expectError(run, 'ERR_CUDA', CulossError, `${refusal} ${what}`);
      }
      const rejections: Promise<void>[] = [];
      cuda.graph(() => rejections.push(cuda.synchronize(), stream.synchronize())).dispose();
      for (const rejection of rejections) await expectRejection(rejection, 'ERR_CUDA');
      const elsewhere = 'cuda.graph: expected calls on the device of the graph, cuda:0, got one on';
      const onCpu = (): unknown => cuda.graph(() => criterion.forward(inputs, ids));
      expectError(onCpu, 'ERR_DEVICE', CulossError, `${elsewhere} cpu`);
      if (before) expect(await liveOn(0)).to.be.within(before, before + refused.length + 1); // what the calls made
      const mine = new RangeError('mine');
      const raise = (): never => {
        throw Object.assign(mine, { code: 'ERR_SHAPE' });
      };
      expect(() => cuda.graph(raise)).to.throw(mine);
      // An error that the work catches is no harm.
      using next = cuda.graph(() => {
        expect(() => x.dataSync()).to.throw(CulossError);
        return criterion.forward(x, y);
      });
      for (const one of [graph, next]) {
        one.replay();
        expectSame(numbers(one.result), lossOf('cuda:0'));
      }
    },
  );

  const second = cuda.deviceCount() > 1 ? null : 'there is no second CUDA device';
  itUnless(second, 'graphs: on another device, cuda:0 and cuda:1', () => {
    const x = logitsOn('cuda:1');
    using graph = cuda.graph(() => criterion.forward(x, ids), 1);
    graph.replay();
    expect([graph.device, graph.result.device]).to.deep.equal(['cuda:1', 'cuda:1']);
    expectSame(numbers(graph.result), lossOf('cuda:0'));
    const message =
      'cuda.graph: expected calls on the device of the graph, cuda:0, got one on cuda:1';
    for (const call of [() => criterion.forward(x, ids), () => x.set(logitsOn('cuda:1'))]) {
      expectError(() => cuda.graph(call), 'ERR_DEVICE', CulossError, message);
    }
  });

  onCuda('graphs: the end of one, and one of nothing cuda:0', () => {
    const x = logitsOn('cuda:0');
    const graph = cuda.graph(() => criterion.forward(x, ids));
    graph.replay();
    graph.dispose();
    graph.dispose();
    expect(graph.disposed).to.equal(true);
    expectSame(numbers(graph.result), lossOf('cuda:0'));
    const message = 'graph: expected one in use, got a disposed one';
    expectError(() => graph.replay(), 'ERR_DISPOSED', CulossError, message);
    using nothing = cuda.graph(() => 7);
    expect(nothing.result).to.equal(7);
    nothing.replay();
  });

  onCuda('graphs: work that is not done when it returns is ERR_OPTION cuda:0', () => {
    const x = logitsOn('cuda:0');
    const later = (): unknown => cuda.graph(() => Promise.resolve(criterion.forward(x, ids)));
    const message =
      'work: expected a function that is done when it returns, got one with a promise';
    expectError(later, 'ERR_OPTION', TypeError, message);
    expectSame(numbers(criterion.forward(x, ids)), lossOf('cuda:0'));
    const { proxy, revoke } = Proxy.revocable(() => 7, {});
    revoke();
    expect(() => cuda.graph(proxy)).to.throw(TypeError, 'revoked');
    expect(() => cuda.graph(() => proxy)).to.throw(TypeError, 'revoked');
    using graph = cuda.graph(() => 7);
    const Graph = Object.getPrototypeOf(graph).constructor;
    expectError(() => Reflect.construct(Graph, []), 'ERR_OPTION', TypeError, /^new Graph: /);
    expect(() => graph.replay.call(wrong({}))).to.throw(TypeError);
  });

  itUnless(
    notEmulated,
    'emulated graphs: a steady replay is one launch, and waits for nothing',
    () => {
      const [x, y] = [logitsOn('cuda:0'), idsOn('cuda:0')];
      using graph = cuda.graph(() => criterion.valueAndGrad(x, y, { outGrad: logitsOn('cuda:0') }));
      expect(callsOf(() => graph.replay())).to.deep.equal(['cudaGraphLaunch']);
      using stream = new Stream();
      stream.run(() => graph.replay()); // waits for the main one, once
      expect(callsOf(() => stream.run(() => graph.replay()))).to.deep.equal(['cudaGraphLaunch']);
    },
  );

  itUnless(notEmulated, 'emulated graphs: nothing is left of a graph', async () => {
    const [x, y] = [logitsOn('cuda:0'), idsOn('cuda:0')];
    criterion.forward(x, y).dispose();
    const before = await liveOn(0);
    for (let i = 0; i < 3; i++) {
      using graph = cuda.graph(() => criterion.valueAndGrad(x, y, { gradOutput: [3] }));
      graph.replay();
      graph.result.loss.dispose();
      graph.result.grad.dispose();
    }
    expect(await liveOn(0)).to.equal(before);
  });
});

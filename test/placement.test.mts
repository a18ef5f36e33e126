// Where alpha lives, and that inputs and targets share a device.
import { expect } from 'chai';
import { BinaryFocalLoss, CulossError, cuda, type Tensor, tensor } from 'culoss';
import { itUnless, onCuda, onDevices } from './devices.mjs';
import { expectClose, expectError } from './expect.mjs';

const p = [
  [0.25, 0.5],
  [0.625, 0.125],
];

describe('placement', () => {
  onDevices('alpha follows the inputs to their device once and stays there', (device) => {
    const criterion = new BinaryFocalLoss({ alpha: [0.25, 0.75] });
    expect((criterion.alpha as Tensor).device).to.equal('cpu');
    const x = tensor(p, undefined, { device });
    const y = tensor([0, 1], undefined, { device });
    const loss = criterion.forward(x, y).item();
    const placed = criterion.alpha as Tensor;
    expect(placed.device).to.equal(device);
    criterion.forward(x, y);
    expect(criterion.alpha).to.equal(placed);
    const onCpu = new BinaryFocalLoss({ alpha: [0.25, 0.75] }).forward(p, [0, 1]).item();
    expectClose([loss], [onCpu], { relative: 1e-6 });
  });

  onDevices(
    'weights, and a normalizer that is a tensor, follow the inputs as alpha does',
    (device) => {
      const options = { weight: [1, 3], posWeight: [2, 5], normalizer: tensor([4]) };
      const criterion = new BinaryFocalLoss(options);
      const [x, y] = [tensor(p, undefined, { device }), tensor([0, 1], undefined, { device })];
      const loss = criterion.forward(x, y).item();
      const placed = criterion.weight as Tensor;
      expect(placed.device).to.equal(device);
      criterion.forward(x, y);
      expect(criterion.weight).to.equal(placed);
      expectClose([loss], [new BinaryFocalLoss(options).forward(p, [0, 1]).item()], {
        relative: 1e-6,
      });
    },
  );

  onDevices('to() moves alpha ahead of time and returns the criterion', (device) => {
    const alpha = tensor([0.25, 0.75]);
    const criterion = new BinaryFocalLoss({ alpha });
    expect(criterion.to(device)).to.equal(criterion);
    expect((criterion.alpha as Tensor).device).to.equal(device);
    expect(criterion.cpu().alpha).to.equal(alpha);
    const weighted = new BinaryFocalLoss({ weight: [1, 2] }).to(device);
    expect(weighted.weight?.device).to.equal(device);
  });

  onDevices('alpha on a device serves inputs on another', (device) => {
    const criterion = new BinaryFocalLoss({ alpha: tensor([0.25, 0.75], undefined, { device }) });
    expect(criterion.forward(p, [0, 1]).device).to.equal('cpu');
    expect((criterion.alpha as Tensor).device).to.equal('cpu');
  });

  it('a number stays a number, and one element serves every class', () => {
    expect(new BinaryFocalLoss({ alpha: 0.25 }).alpha).to.equal(0.25);
    expect(new BinaryFocalLoss().alpha).to.equal(undefined);
    const value = (alpha: number | number[]): number =>
      new BinaryFocalLoss({ alpha }).forward(p, [0, 1]).item();
    expect(value([0.25])).to.equal(value(0.25));
    expect(value(0)).not.to.equal(value(0.25));
  });

  it('a tensor alpha is used as it is now', () => {
    const data = new Float64Array([0.25, 0.75]);
    const criterion = new BinaryFocalLoss({ alpha: data });
    const before = criterion.forward(p, [0, 1]).item();
    data[0] = 0.5;
    expect(criterion.forward(p, [0, 1]).item()).not.to.equal(before);
  });

  onDevices(
    'a normalizer on a device is read there, as it is when the loss is computed',
    (device) => {
      const [x, y] = [tensor(p, undefined, { device }), tensor([0, 1], undefined, { device })];
      const sum = new BinaryFocalLoss({ reduction: 'sum' }).forward(x, y).item();
      for (const dtype of ['float32', 'float64', 'int32'] as const) {
        const normalizer = tensor([8], [1], { dtype, device });
        const loss = new BinaryFocalLoss({ normalizer }).forward(x, y).item();
        expectClose([loss], [sum / 8], { relative: 1e-7 });
      }
      // One on the host is read for every call, too.
      const host = tensor([2]);
      const criterion = new BinaryFocalLoss({ normalizer: host });
      for (const divisor of [2, 16]) {
        host.dataSync()[0] = divisor;
        expectClose([criterion.forward(x, y).item()], [sum / divisor], { relative: 1e-6 });
      }
      // A loss can be the divisor of another: here of itself.
      const own = new BinaryFocalLoss({ reduction: 'sum' }).forward(x, y);
      expectClose([new BinaryFocalLoss({ normalizer: own }).forward(x, y).item()], [1], {
        relative: 1e-6,
      });
    },
  );

  onDevices('plain arrays are placed where the inputs are', (device) => {
    const { loss, grad } = new BinaryFocalLoss().valueAndGrad(
      tensor(p, undefined, { device }),
      [0, 1],
      { gradOutput: [2] },
    );
    expect([loss.device, grad.device]).to.deep.equal([device, device]);
  });

  const second = cuda.deviceCount() > 1 ? null : 'there is no second CUDA device';
  itUnless(
    second,
    'a tensor goes from one CUDA device to another, whatever becomes of the source',
    () => {
      const source = tensor(p).cuda(0);
      const copy = source.cuda(1);
      source.dispose();
      expect([copy.device, copy.arraySync()]).to.deep.equal(['cuda:1', p]);
      expect(new BinaryFocalLoss().forward(copy, [0, 1]).device).to.equal('cuda:1');
    },
  );

  onCuda('tensors on different devices are ERR_DEVICE', () => {
    const x = tensor(p).cuda();
    expectError(
      () => new BinaryFocalLoss().forward(x, tensor([0, 1])),
      'ERR_DEVICE',
      CulossError,
      'targets: expected the device of the inputs, cuda:0, got cpu',
    );
  });
});
